import type { RenderForm } from '../../core/handlers/handler.js';
import type { HttpReply, HttpRequest } from './http.js';

/** Media types that choose a form. */
const forms: Readonly<Record<string, RenderForm>> = {
  'text/plain': 'text',
  'text/*': 'text',
  '*/*': 'text',
  'application/json': 'json',
  'application/*': 'json',
  'application/json-detailed': 'detailed',
};

const contentTypes: Readonly<Record<RenderForm, string>> = {
  text: 'text/plain; charset=utf-8',
  json: 'application/json',
  detailed: 'application/json-detailed',
};

/** What a route whose answer has a form gives. */
export const formTypes: readonly string[] = ['text/plain', 'application/json'];
/** What a route gives that can also show everything a State holds. */
export const detailedTypes: readonly string[] = [...formTypes, 'application/json-detailed'];

/** The form that a request asks for: the first media type of its Accept header, by weight, that has one; else text. */
export function formOf(request: HttpRequest): RenderForm {
  const ranges = (request.headers.get('accept') ?? '*/*').split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
  });
  ranges.sort((a, b) => b.quality - a.quality);
  for (const { type, quality } of ranges) {
    const form = forms[type];
    if (form !== undefined && quality > 0) return form;
  }
  return 'text';
}

export function replyWith(
  form: RenderForm,
  body: NonNullable<HttpReply['body']>,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return { status: 200, headers: { 'content-type': contentTypes[form], ...headers }, body };
}

/** JSON for programs, or the text that `text` makes of it for people. */
export function replyInForm<T>(
  form: RenderForm,
  value: T,
  text: (value: T) => string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return replyWith(form, form === 'text' ? text(value) : `${JSON.stringify(value)}\n`, headers);
}
