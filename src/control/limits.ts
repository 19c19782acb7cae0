/** Limits of the control socket's conversation that both ends keep. @module */

/**
 * How long a list of all nodes may take, asked to received: 100,000 known nodes for eight who ask at
 * once, half a minute. The node forgets a list that is not read by then.
 */
export const listingTimeoutMs = 60_000;
