/**
 * What the exit code says. Those of `sysexits.h` where one fits; a command under `run` may use the same ones, so what
 * happened is on standard error as well.
 */
export const exitCodes = {
  /** The service refused the request, or something unforeseen happened. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The service cannot be reached, or fails (EX_UNAVAILABLE). */
  unreachable: 69,
  /** No key was free in time (EX_TEMPFAIL). */
  noKey: 75,
  /** The lease is over, or was lost while the command ran (EX_PROTOCOL). */
  leaseLost: 76,
  /** The credential is missing, wrong, revoked, or not allowed to do this (EX_NOPERM). */
  notAllowed: 77,
  /** A setting or a file of settings is missing or unfit (EX_CONFIG). */
  configuration: 78,
  /** The command under `run` cannot be executed, as in a shell. */
  notExecutable: 126,
  /** The command under `run` was not found, as in a shell. */
  notFound: 127,
} as const;

/** As a shell has it, when a signal ended a command. */
export const SIGNAL_BASE = 128;
