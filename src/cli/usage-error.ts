/** What the person in front of the terminal got wrong: printed without a stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What could not be done although it was asked for rightly: printed without a stack, exit code 1. */
export class CommandFailure extends Error {
  override readonly name: string = 'CommandFailure';
}

/** What could be done in some places only: `done` says what was done there. */
export class DoneInPart extends CommandFailure {
  override readonly name = 'DoneInPart';
  readonly done: Readonly<Record<string, unknown>>;

  constructor(message: string, done: Readonly<Record<string, unknown>>) {
    super(message);
    this.done = done;
  }
}
