import { agentKilled } from './agent-killed.js';
import { cutBeforeWait } from './cut-before-wait.js';
import { lateAppend } from './late-append.js';
import type { Scenario } from './scenario.js';
import { secondAgent } from './second-agent.js';

/** Every scenario there is, in the order in which `--scenario all` runs them. */
export const scenarios: readonly Scenario[] = [cutBeforeWait, lateAppend, agentKilled, secondAgent];
