import { Agent, get } from 'node:http';

/** What is asked again and again. */
export interface Asked {
  readonly name: string;
  /** Of the server's URL. @param turn how often it was asked before */
  path(turn: number): string;
  /** What an answer must hold, or it does not count. @returns what is wrong with it, or undefined */
  fault(answer: Readonly<Record<string, unknown>>): string | undefined;
}

/** All times that answers took, ms, in the order of the questions. @throws when one is not what it should be */
export async function askFor(serverUrl: string, asked: Asked, seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const taken: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  try {
    while (performance.now() < endMs || taken.length < 5) {
      const path = asked.path(taken.length);
      const beganAtMs = performance.now();
      const body = await answerTo(`${serverUrl}${path}`, agent);
      taken.push(performance.now() - beganAtMs);
      const fault = asked.fault(JSON.parse(body) as Record<string, unknown>);
      if (fault !== undefined) throw new Error(`${path}: ${fault}`);
    }
  } finally {
    agent.destroy();
  }
  return taken;
}

function answerTo(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers: { accept: 'application/json' } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`${url}: ${answer.statusCode} ${text}`));
      });
    });
    request.on('error', reject);
  });
}
