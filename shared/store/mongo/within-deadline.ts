import { DatabaseUnavailableError } from '../../domain/errors.ts';
import { translateDriverError } from './driver-errors.ts';

/**
 * The result of `work`, or {@link DatabaseUnavailableError} once `deadlineMs` have passed: the steps of an operation
 * (selection, connection, answer, and all of it once more in a retry) have limits that add up. The work is not
 * cancelled; a write that is carried out after all is as harmless as any late write.
 */
export async function withinDeadline<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseUnavailableError({ cause: new Error(`No answer within ${deadlineMs} ms`) }));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } catch (error) {
    throw translateDriverError(error);
  } finally {
    clearTimeout(timer);
  }
}
