import { errorCatalogue } from '../../core/errors.js';
import type { ParameterDoc, Route } from './http.js';
import { withoutParameters } from './parameters.js';

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
}

/** `GET /openapi.json`: these routes, and itself, as OpenAPI 3.1 describes them. */
export function openApiRoute(routes: readonly Route[], info: ApiInfo): Route {
  const route: Route = withoutParameters({
    method: 'GET',
    path: '/openapi.json',
    doc: { summary: 'This document', gives: ['application/json'] },
    handle: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body }),
  });
  const body = `${JSON.stringify(openApi([...routes, route], info))}\n`;
  return route;
}

function openApi(routes: readonly Route[], { title, version }: ApiInfo): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      responses: {
        Error: {
          description: 'An error: its code is one of the catalogue',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      schemas: { Error: errorSchema },
    },
  };
}

function operation({ method, path, doc }: Route): object {
  const { summary, parameters = {}, takes, gives } = doc;
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^a-z0-9]+/g, '_')}`,
    summary,
    parameters: Object.entries(parameters).map(([name, parameter]) => ({
      ...{ name, in: 'query', description: parameter.description },
      schema: schemaOf(parameter),
    })),
    ...(takes !== undefined && { requestBody: { required: true, content: contentOf(takes) } }),
    ...(method === 'POST' &&
      Object.keys(parameters).length > 0 && {
        requestBody: {
          description: 'parameters that are too long for a URL',
          content: { 'application/x-www-form-urlencoded': { schema: formSchema(parameters) } },
        },
      }),
    responses: {
      200: { description: 'done', content: contentOf(gives) },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function schemaOf({ type }: ParameterDoc): object {
  return { type: type === 'flag' ? 'boolean' : 'string' };
}

function formSchema(parameters: Readonly<Record<string, ParameterDoc>>): object {
  const properties = Object.entries(parameters).map(([name, parameter]) => [name, schemaOf(parameter)]);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

function contentOf(types: readonly string[]): object {
  return Object.fromEntries(types.map((type) => [type, {}]));
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: Object.keys(errorCatalogue) },
        message: { type: 'string' },
      },
    },
  },
};
