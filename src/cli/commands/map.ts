import type { Explanation } from '../../intake/mapping/explain.js';
import type { Mapping } from '../../intake/mapping/mapping.js';
import type { Command } from '../command.js';
import { UsageError } from '../usage-error.js';

export const map: Command = {
  name: 'map',
  positionals: '<lines..>',
  summary: 'Show what an agent makes of StatsD lines, without sending them',
  details:
    'Reads the rules that an agent would have: of --mapping, TABA_MAPPING, or the settings file. Ends with 1 when a line is rejected.',
  examples: [
    ["taba map 'app.web1.latency:12|ms|#env:prod'", 'by the rules that StatsD has by itself'],
    [
      `taba map --mapping '[{"match": "debug", "drop": true}]' 'debug.queries:1|c'`,
      'by rules that are tried out; --config FILE takes those of an agent',
    ],
  ],
  options: {
    config: { placeholder: 'FILE', description: 'settings file of an agent' },
    mapping: { placeholder: 'JSON', description: 'rules, as in the setting of that name' },
  },
  async run(args, io) {
    const { TabaError } = await import('../../core/errors.js');
    const { checkClientId } = await import('../../core/names.js');
    const { DenyLists } = await import('../../intake/deny-lists.js');
    const { explainLines } = await import('../../intake/mapping/explain.js');
    const { mappingOf } = await import('../mapping.js');
    const { handlersWith } = await import('../load-handlers.js');
    const { resolveSettings } = await import('../settings/resolve.js');
    const { values } = resolveSettings('agent', { flags: args.flags, env: io.env, folder: io.folder });
    const registry = handlersWith(values['additional-handlers']);
    let mapping: Mapping;
    let deny: InstanceType<typeof DenyLists>;
    try {
      mapping = mappingOf(values, registry);
      deny = new DenyLists({
        names: values['name-denylist'] ?? [],
        clients: values['client-denylist'] ?? [],
        maxExpressionBytes: values['max-expression-bytes'],
      });
    } catch (error) {
      throw error instanceof TabaError ? new UsageError(error.message) : error;
    }
    const limits = { maxNameBytes: values['max-name-bytes'] };
    const context = { registry, limits, deny, client: checkClientId(values['client-id']) };
    let isRejected = false;
    for (const line of args.positionals) {
      io.out(`${line}\n`);
      for (const explanation of explainLines(line, mapping, context)) {
        isRejected ||= explanation.fate === 'rejected';
        io.out(`  ${textOf(explanation, mapping)}\n`);
      }
    }
    return isRejected ? 1 : 0;
  },
};

function textOf(explanation: Explanation, { rules }: Mapping): string {
  const by = (rule: number | undefined): string =>
    rule === undefined ? 'no rule fits' : `rule ${rule}: ${rules[rule - 1]!.match}`;
  switch (explanation.fate) {
    case 'taken': {
      const { tab, type, value, weight, rule } = explanation;
      const times = weight === 1 ? '' : `, as ${weight} events`;
      return `${tab}  ${type}  ${value}${times}  (${by(rule)})`;
    }
    case 'dropped':
      return `dropped  (${by(explanation.rule)})`;
    case 'ignored':
      return `ignored: ${explanation.what}`;
    case 'rejected':
      return `rejected: ${explanation.code}: ${explanation.message}`;
  }
}
