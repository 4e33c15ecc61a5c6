import type { ProcessMetrics } from '../../runtime/process-metrics.js';
import type { Route } from './http.js';
import { withoutParameters } from './parameters.js';

/** The process itself, in Prometheus' text format. */
export function metricsRoute(metrics: ProcessMetrics): Route {
  return withoutParameters({
    method: 'GET',
    path: '/metrics',
    doc: { summary: 'This process, for Prometheus', gives: ['text/plain'] },
    handle: async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: await metrics.text(),
    }),
  });
}
