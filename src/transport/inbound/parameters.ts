import { TabaError } from '../../core/errors.js';
import type { HttpRequest, ParameterDoc, Route } from './http.js';

/**
 * The parameters of a request, from its query string and, for a POST with a form as its body, from there. What a route
 * does not know is refused by name: a misspelt filter must not select everything.
 */
export class Parameters {
  readonly #values: ReadonlyMap<string, string>;

  private constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  /** @param documented those that the route has @throws TabaError `bad_parameter`, naming the parameter */
  static of(request: HttpRequest, documented: Readonly<Record<string, ParameterDoc>>): Parameters {
    const values = new Map<string, string>();
    const take = (value: string, name: string): void => {
      if (!Object.hasOwn(documented, name)) {
        const known = Object.keys(documented).join(', ') || 'none';
        throw new TabaError(
          'bad_parameter',
          `unknown parameter ${JSON.stringify(name)}; ${request.path} takes ${known}`,
        );
      }
      if (values.has(name)) throw new TabaError('bad_parameter', `parameter ${name} is given twice`);
      values.set(name, value);
    };
    request.query.forEach(take);
    formOf(request)?.forEach(take);
    return new Parameters(values);
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Comma-separated items; undefined where the parameter is not given. */
  list(name: string): readonly string[] | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const items = value.split(',').filter((item) => item !== '');
    if (items.length === 0) throw new TabaError('bad_parameter', `parameter ${name} is empty`);
    return items;
  }

  flag(name: string, ifAbsent: boolean): boolean {
    const value = this.#values.get(name);
    switch (value?.toLowerCase()) {
      case undefined:
        return ifAbsent;
      case '':
      case '1':
      case 'true':
        return true;
      case '0':
      case 'false':
        return false;
      default:
        throw new TabaError(
          'bad_parameter',
          `parameter ${name} is ${JSON.stringify(value)}; it takes true or false`,
        );
    }
  }
}

function formOf({ method, headers, body }: HttpRequest): URLSearchParams | undefined {
  if (method !== 'POST' || body.length === 0) return undefined;
  const type = headers.get('content-type') ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw new TabaError(
      'bad_parameter',
      `a body of type ${JSON.stringify(type)}; send parameters in the URL or as a form`,
    );
  }
  return new URLSearchParams(new TextDecoder().decode(body));
}

/** A route that takes no parameters, and says so to whoever sends some. */
export function withoutParameters(route: Route): Route {
  return {
    ...route,
    handle(request) {
      Parameters.of(request, {});
      return route.handle(request);
    },
  };
}
