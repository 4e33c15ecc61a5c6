import { agentKilled } from './agent-killed.js';
import type { Scenario } from './scenario.js';
import { secondAgent } from './second-agent.js';

/** Every scenario there is, in the order in which `--scenario all` runs them. */
export const scenarios: readonly Scenario[] = [agentKilled, secondAgent];
