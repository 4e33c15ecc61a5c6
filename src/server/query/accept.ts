import type { RenderForm } from '../../core/handlers/handler.js';
import type { HttpRequest } from '../../transport/inbound/http.js';

/** Media types that choose a form. */
const forms: Readonly<Record<string, RenderForm>> = {
  'text/plain': 'text',
  'text/*': 'text',
  '*/*': 'text',
  'application/json': 'json',
  'application/*': 'json',
  'application/json-detailed': 'detailed',
};

export const contentTypes: Readonly<Record<RenderForm, string>> = {
  text: 'text/plain; charset=utf-8',
  json: 'application/json',
  detailed: 'application/json-detailed',
};

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
