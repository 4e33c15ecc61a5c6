/** What a row of `NumberColumns` is in memory: doubles, one cache line of them, so that an event of a cold row costs one miss. */
export const stride = 8;
export const eventsAt = 0;
export const countAt = 1;
export const totalAt = 2;
export const minAt = 3;
/** The same as the minimum while the row has seen one value only. */
export const maxAt = 4;
/** Where the row's list of keys begins, see key-lists.ts, or its page of counts, see count-pages.ts. Both outlive a drain. */
export const placeAt = 5;
/** How many keys the list has, or which bucket the page's first count is of. */
export const keyAt = 6;
/** `isList`, or how many counts the page has; 0 for a row that has neither. */
export const sizeAt = 7;
export const isList = -1;
