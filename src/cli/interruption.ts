/**
 * SIGINT and SIGTERM, as a signal that a long command heeds: it stops work, keeps what is finished
 * and then returns the status.
 *
 * @module
 */

import { EXIT, type ExitStatus } from './command.ts';

/** A terminal and a launcher may each deliver one key press; within this time it is the same. */
const SAME_PRESS_MS = 1_000;

/** Listens until it is disposed of. A second signal ends the process at once. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  #firstAtMs = 0;
  #status: ExitStatus = EXIT.fine;

  constructor() {
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGXFSZ', noteNothing);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 130 after SIGINT, 143 after SIGTERM, 0 before either. */
  get status(): ExitStatus {
    return this.#status;
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
    process.off('SIGXFSZ', noteNothing);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (this.#status === EXIT.fine) {
      this.#firstAtMs = nowMs;
      this.#status = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
      this.#controller.abort();
    } else if (nowMs - this.#firstAtMs > SAME_PRESS_MS) {
      process.exit(this.#status);
    }
  };
}

/** So that a file that grows beyond the limit of the system is an error of its writer, not the end. */
function noteNothing(): void {}
