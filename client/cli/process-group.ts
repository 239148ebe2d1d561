import { readdirSync, readFileSync } from 'node:fs';

/** State and process group, behind the name, which may have anything in it but is the last in parentheses. */
const STAT = /^.*\) (\w) -?\d+ (\d+) /s;

/**
 * Whether a process group has a member that still runs. Where nobody asks for the exit codes of orphans (PID 1 of many
 * containers does not), the dead stay in their group as zombies, and a signal "reaches" it for ever.
 */
export function hasRunningMember(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || readdirSync('/proc').some((entry) => runsIn(entry, group));
}

function runsIn(entry: string, group: number): boolean {
  if (!/^\d+$/.test(entry)) return false;
  try {
    const [, state = '', itsGroup] = STAT.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
    return Number(itsGroup) === group && !'ZX'.includes(state);
  } catch {
    return false;
  }
}
