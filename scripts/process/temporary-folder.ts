import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entrustFolder, takeBackFolder } from './keeper.js';

/** A fresh folder that goes with `remove`, or at the latest with this process. */
export class TemporaryFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(prefix: string): Promise<TemporaryFolder> {
    const path = await mkdtemp(join(tmpdir(), prefix));
    entrustFolder(path);
    return new TemporaryFolder(path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    takeBackFolder(this.path);
  }
}
