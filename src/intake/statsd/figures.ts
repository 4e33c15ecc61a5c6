import { figuresNamed, type ProcessFigure } from '../../runtime/process-metrics.js';
import type { StatsdStatus } from './statsd-door.js';

/** What a node that takes StatsD tells Prometheus about that. */
export function statsdFigures(prefix: string, statsd: StatsdStatus): ProcessFigure[] {
  const { counter, gauge } = figuresNamed(prefix);
  const dropped = statsd.datagrams_dropped;
  return [
    counter('statsd_datagrams', 'Datagrams with StatsD that came in.', statsd.datagrams),
    ...(dropped === null
      ? []
      : [
          counter(
            'statsd_datagrams_dropped',
            'Datagrams that the kernel threw away for want of room.',
            dropped,
          ),
        ]),
    counter('statsd_restarts', 'How often StatsD over UDP had to begin again.', statsd.restarts),
    gauge(
      'statsd_waiting',
      'Whether nothing comes in over UDP: 1 or 0.',
      statsd.waiting_for === null ? 0 : 1,
    ),
    gauge('statsd_connections', 'Connections over TCP with StatsD.', statsd.connections),
    gauge('statsd_series', 'Different names, kinds and tags of StatsD.', statsd.series),
  ];
}
