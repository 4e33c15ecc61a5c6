/** `/openapi.json` is made of the routes: what it says is held against what the nodes do. */
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { agentOf, ask } from '../agent/agent-kit.js';
import { serverOf } from './kit.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description: string;
  readonly schema: { readonly type: 'string' | 'boolean' };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, object>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>;
}

type Specification = Parameters<Validator['validate']>[0];

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** A value that each parameter takes. */
const values: Readonly<Record<string, string>> = { family: 'count', window: '1m', buckets: '1', dry: 'true' };

async function documentOf(url: string): Promise<Document> {
  const answer = await ask(`${url}/openapi.json`);
  return answer.json;
}

t.test('servers and agents describe themselves, as OpenAPI 3.1 wants it', async (t) => {
  const server = await serverOf(t);
  const { agent } = await agentOf(t, { servers: [server.url] });
  for (const { url } of [server, agent]) {
    const document = await documentOf(url);
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as unknown as Specification,
    );
    t.ok(valid, JSON.stringify(errors));
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    t.ok(operations.length >= 9);
    t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
    for (const { summary, parameters } of operations) {
      t.ok(summary.length > 5, summary);
      for (const { description } of parameters) t.ok(description.length > 5, description);
    }
  }
});

t.test('every route takes the parameters that it says, and no other', async (t) => {
  const server = await serverOf(t);
  const { agent } = await agentOf(t, { servers: [server.url] });
  const event = JSON.stringify({ name: 'a', value: 1, client: 'a' });
  let checked = 0;
  for (const { url } of [server, agent]) {
    const { paths } = await documentOf(url);
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { parameters, requestBody, responses }] of Object.entries(operations)) {
        // A body of its own: parameters mean nothing there.
        if (requestBody?.required === true) continue;
        const where = `${method} ${path}`;
        const of = (query: string) => ask(`${url}${path}?${query}`, { method: method.toUpperCase() });
        const refused = await of('misspelt=1');
        t.match(
          refused,
          { status: 400, json: { error: { code: 'bad_parameter', message: /misspelt/ } } },
          where,
        );
        // Deleted by one of the routes, so recorded for each.
        await ask(`${server.url}/events`, { method: 'POST', body: event });
        const own = parameters.map(({ name, schema }) => {
          return `${name}=${values[name] ?? (schema.type === 'boolean' ? 'false' : 'a')}`;
        });
        const answer = await of(own.join('&'));
        t.equal(answer.status, 200, `${where}?${own.join('&')}: ${answer.text}`);
        const type = String(answer.headers.get('content-type') ?? 'text/plain').split(';')[0]!;
        t.ok(Object.keys(responses[200]!.content!).includes(type), `${where} gives ${type}`);
        checked++;
      }
    }
  }
  t.ok(checked > 25, `${checked} routes`);
});

t.test('what is not in it is not served', async (t) => {
  const server = await serverOf(t);
  const { paths } = await documentOf(server.url);
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of ['get', 'post']) {
      if (operations[method] !== undefined) continue;
      const answer = await ask(`${server.url}${path}`, { method: method.toUpperCase() });
      t.match(answer, { status: 405, json: { error: { code: 'wrong_method' } } }, `${method} ${path}`);
    }
  }
  t.equal((await ask(`${server.url}/nowhere`)).status, 404);
});
