/** Nobody answered, or not in full: why, in words. */
export class NoAnswer extends Error {
  /** Of the system, such as ECONNREFUSED; undefined for a time-out. */
  readonly systemCode: string | undefined;

  constructor(origin: string, reason: string, systemCode?: string) {
    super(`no answer from ${origin}: ${reason}`);
    this.name = 'NoAnswer';
    this.systemCode = systemCode;
  }
}
