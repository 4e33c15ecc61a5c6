import type { ClientReport, Ledger, Tally } from './load.js';

/** The fields of a JSON rendering that hold the all-time figures, whichever of the load's types it is. */
export interface Rendering {
  readonly count?: number;
  readonly total?: number;
  readonly pct?: { readonly count: number; readonly total: number };
}

export interface Mismatch {
  readonly where: string;
  readonly expected: Tally;
  readonly found: Tally;
}

/** Adds the ledgers of all clients up, tab by tab. */
export function aggregate(reports: readonly ClientReport[]): Ledger {
  const sum: Ledger = new Map();
  for (const report of reports) {
    for (const [tab, tally] of report.ledger) {
      const known = sum.get(tab);
      sum.set(tab, { count: (known?.count ?? 0) + tally.count, total: (known?.total ?? 0) + tally.total });
    }
  }
  return sum;
}

/** @throws where the answer is no success */
export async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export function allTime(rendering: Rendering | undefined): Tally {
  const figures = rendering?.pct !== undefined && !Array.isArray(rendering.pct) ? rendering.pct : rendering;
  return { count: figures?.count ?? 0, total: figures?.total ?? 0 };
}

function compare(where: string, expected: Ledger, found: Readonly<Record<string, Rendering>>): Mismatch[] {
  const mismatches: Mismatch[] = [];
  const names = new Set([...expected.keys(), ...Object.keys(found)]);
  for (const name of names) {
    const want = expected.get(name) ?? { count: 0, total: 0 };
    const have = allTime(found[name]);
    if (want.count !== have.count || want.total !== have.total) {
      mismatches.push({ where: `${where} ${name}`, expected: want, found: have });
    }
  }
  return mismatches;
}

/** Every tab of the load, over all clients, as one server answers. */
export async function aggregateMismatches(
  serverUrl: string,
  reports: readonly ClientReport[],
): Promise<Mismatch[]> {
  const tabs = await json<Record<string, Rendering>>(`${serverUrl}/tabs?name=chaos%5C.&re=true`);
  return compare(`aggregate on ${serverUrl}:`, aggregate(reports), tabs);
}

/** Every tab of one client, as one server answers. */
export async function clientMismatches(
  serverUrl: string,
  { client, ledger }: ClientReport,
): Promise<Mismatch[]> {
  const projection = await json<Record<string, Record<string, Rendering>>>(
    `${serverUrl}/projection?name=chaos%5C.&re=true&client=${encodeURIComponent(client)}`,
  );
  return compare(`${client} on ${serverUrl}:`, new Map(ledger), projection[client] ?? {});
}

/** Every count and total that the server answers, aggregate and per client, against what was recorded. */
export async function findMismatches(
  serverUrl: string,
  reports: readonly ClientReport[],
): Promise<Mismatch[]> {
  const mismatches = await aggregateMismatches(serverUrl, reports);
  for (const report of reports) mismatches.push(...(await clientMismatches(serverUrl, report)));
  return mismatches;
}

export interface NodeStatus {
  readonly books: {
    readonly received: number;
    readonly buffered: number;
    readonly balance: number;
    readonly dropped: Readonly<Record<string, number>>;
    readonly rejected: Readonly<Record<string, number>>;
  };
  /** Of servers. */
  readonly owners?: { readonly balance: number };
}

export function nodeStatus(url: string): Promise<NodeStatus> {
  return json<NodeStatus>(`${url}/status`);
}

export async function post(url: string): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
