/** What `work` resolves to, or `late` when that takes longer than `ms` milliseconds; the work itself goes on. */
export function answerWithin<Answer, Late>(
  work: Promise<Answer>,
  ms: number,
  late: Late,
): Promise<Answer | Late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
