/** Preloaded into a node (`node --import`): its clock is ahead by TABA_CLOCK_AHEAD_MS. */
const aheadMs = Number(process.env.TABA_CLOCK_AHEAD_MS ?? 0);
// Not for the node, which refuses variables that it does not know.
delete process.env.TABA_CLOCK_AHEAD_MS;
const now = Date.now;
Date.now = () => now() + aheadMs;
