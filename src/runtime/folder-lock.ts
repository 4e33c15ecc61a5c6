import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { access, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * One process per folder.
 *
 * Whoever wants the folder listens on a Unix socket in it, `lock-<random>.sock`, and then knocks at all the others. The
 * kernel stops the listening when a process dies, however it dies, so a stale lock is known at once and no lease is needed; a
 * frozen holder still listens. No process number is relied on, so the lock also holds between containers that share the
 * volume on one machine. It does not hold between machines on a network file system.
 *
 * Of two that start together at least one sees the other, because each listens before it looks. Who is seen and holds the
 * folder already (`lock-<random>.held` exists) wins; among those still starting the lowest name waits, the others give
 * way. A socket's name is visible only once it listens, and is never used again: one that refuses is dead for good, and
 * can be removed without a race.
 */
export interface FolderLock {
  /** Gives the folder free. Idempotent. */
  release(): Promise<void>;
}

/** Another process (or this one) uses the folder. */
export class FolderInUse extends Error {
  readonly folder: string;
  /** As the holder wrote it down: its process number, within its own container. */
  readonly pid: number | undefined;

  constructor(folder: string, pid: number | undefined) {
    super(`the folder ${folder} is in use by another process${pid === undefined ? '' : ` (pid ${pid})`}`);
    this.name = 'FolderInUse';
    this.folder = folder;
    this.pid = pid;
  }
}

/** `sun_path` has 108 bytes; a longer path is reached through a descriptor of the folder. */
const maxSocketPathBytes = 100;
/** How long the lowest of several starters waits for the others to make up their minds. */
const startersWaitMs = 2000;
const startersPollMs = 5;

/** @throws FolderInUse */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const descriptor = openSync(folder, 'r');
  try {
    return await Claim.stake(resolve(folder), descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

class Claim implements FolderLock {
  readonly #folder: string;
  readonly #descriptor: number;
  readonly #id = randomBytes(6).toString('hex');
  readonly #server: Server;
  #released: Promise<void> | undefined;

  private constructor(folder: string, descriptor: number) {
    this.#folder = folder;
    this.#descriptor = descriptor;
    this.#server = createServer((socket) => socket.destroy());
  }

  static async stake(folder: string, descriptor: number): Promise<FolderLock> {
    const claim = new Claim(folder, descriptor);
    try {
      await claim.#listen();
      await claim.#outlastOthers();
      return claim;
    } catch (error) {
      await claim.#withdraw();
      throw error;
    }
  }

  release(): Promise<void> {
    this.#released ??= this.#withdraw().then(() => closeSync(this.#descriptor));
    return this.#released;
  }

  async #listen(): Promise<void> {
    // Under another name first: between bind and listen a socket refuses as a dead one does.
    this.#server.listen(this.#socketPath(`lock-${this.#id}.new`));
    await once(this.#server, 'listening');
    this.#server.unref();
    await rename(join(this.#folder, `lock-${this.#id}.new`), join(this.#folder, `lock-${this.#id}.sock`));
  }

  async #outlastOthers(): Promise<void> {
    const deadline = performance.now() + startersWaitMs;
    while (await this.#othersStart()) {
      if (performance.now() > deadline) throw new FolderInUse(this.#folder, undefined);
      await pause(startersPollMs);
    }
    await writeFile(join(this.#folder, `lock-${this.#id}.held`), `${process.pid} ${hostname()}\n`);
    await this.#sweep();
  }

  /** @returns whether others are starting that have to give way; throws when this one has to */
  async #othersStart(): Promise<boolean> {
    let starting = false;
    for (const name of await readdir(this.#folder)) {
      const id = /^lock-([0-9a-f]+)\.sock$/.exec(name)?.[1];
      if (id === undefined || id === this.#id) continue;
      if (!(await this.#listens(name))) {
        await this.#remove(id);
        continue;
      }
      const held = await exists(join(this.#folder, `lock-${id}.held`));
      if (held || id < this.#id) throw new FolderInUse(this.#folder, await this.#pidOf(id));
      starting = true;
    }
    return starting;
  }

  #listens(name: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.#socketPath(name));
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      // Whatever else goes wrong (no permission, or a frozen holder's full backlog) is no proof of death.
      socket.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
      });
    });
  }

  async #pidOf(id: string): Promise<number | undefined> {
    try {
      return Number.parseInt(await readFile(join(this.#folder, `lock-${id}.held`), 'utf8'), 10) || undefined;
    } catch {
      return undefined;
    }
  }

  /** What starters left that died before their socket had its name. The holder does it: whoever still starts is to fail anyway. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (/^lock-[0-9a-f]+\.new$/.test(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  async #withdraw(): Promise<void> {
    await this.#remove(this.#id);
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, 'close');
    }
  }

  async #remove(id: string): Promise<void> {
    await rm(join(this.#folder, `lock-${id}.held`), { force: true });
    await rm(join(this.#folder, `lock-${id}.sock`), { force: true });
  }

  #socketPath(name: string): string {
    const path = join(this.#folder, name);
    return Buffer.byteLength(path) <= maxSocketPathBytes ? path : `/proc/self/fd/${this.#descriptor}/${name}`;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
