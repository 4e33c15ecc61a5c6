const memoryEveryMs = 100;

/** What this process uses while it takes part in a run. */
export class OwnUsage {
  readonly #rssBefore = process.memoryUsage.rss();
  #rss = this.#rssBefore;
  #cpuBefore = process.cpuUsage();
  readonly #watch = setInterval(() => {
    this.#rss = Math.max(this.#rss, process.memoryUsage.rss());
  }, memoryEveryMs);

  /** CPU counts from now on, memory from the beginning. */
  beginCpu(): void {
    this.#cpuBefore = process.cpuUsage();
  }

  end(): { readonly cpuSec: number; readonly grownBytes: number } {
    clearInterval(this.#watch);
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    return { cpuSec: (user + system) / 1e6, grownBytes: this.#rss - this.#rssBefore };
  }
}
