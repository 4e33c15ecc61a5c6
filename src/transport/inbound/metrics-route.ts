import type { ProcessMetrics } from '../../runtime/process-metrics.js';
import type { Route } from './http.js';

/** The process itself, in Prometheus' text format. */
export function metricsRoute(metrics: ProcessMetrics): Route {
  return {
    method: 'GET',
    path: '/metrics',
    handle: async () => ({
      status: 200,
      headers: { 'content-type': metrics.contentType },
      body: await metrics.text(),
    }),
  };
}
