/** A way of sending; its name is the service's, and so part of every tab's. */
export interface Way {
  readonly name: string;
  readonly encoding: 'protobuf' | 'json';
  readonly temporality: 'delta' | 'cumulative';
}

export const ways: readonly Way[] = (['protobuf', 'json'] as const).flatMap((encoding) =>
  (['delta', 'cumulative'] as const).map((temporality) => ({
    name: `${encoding}-${temporality}`,
    encoding,
    temporality,
  })),
);
