import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends what this process leaves behind: a shell that waits on a pipe from here, and when the pipe closes, because this
 * process ended in whatever way (SIGKILL and Ctrl-C included), kills what was entrusted to it and removes the folders.
 *
 * It leads a session of its own, so that a signal to the terminal's processes does not reach it before its work is done.
 */
const script = `
trap '' INT TERM HUP
pids=' '
folders=' '
while read -r verb what; do
  case $verb in
    watch) pids="$pids$what " ;;
    ended) pids="\${pids%% $what *} \${pids#* $what }" ;;
    folder) folders="$folders$what " ;;
    removed) folders="\${folders%% $what *} \${folders#* $what }" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
for folder in $folders; do rm -rf "$folder"; done
`;

let keeper: ChildProcess | undefined;

function tell(line: string): void {
  if (keeper === undefined) {
    keeper = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // It waits for this process, never the other way round.
    keeper.unref();
    (keeper.stdin as unknown as { unref(): void }).unref();
    keeper.stdin?.on('error', () => {});
  }
  keeper.stdin?.write(`${line}\n`);
}

/** Has `child` killed when this process ends, unless it ended before. */
export function entrust(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell(`watch ${pid}`);
  child.once('exit', () => tell(`ended ${pid}`));
}

/** Has a temporary folder removed when this process ends. @param path without white space */
export function entrustFolder(path: string): void {
  tell(`folder ${path}`);
}

/** The folder was removed here. */
export function takeBackFolder(path: string): void {
  tell(`removed ${path}`);
}
