import { type EndPoint, isSame } from './endpoints.js';
import type { Lane } from './lane.js';

/** The lanes to the end-points there are: `perEndPoint` each, made and closed as end-points come and go. */
export class Lanes {
  readonly #perEndPoint: number;
  readonly #make: (id: string, endPoint: EndPoint) => Lane;
  #lanes = new Map<string, Lane>();

  constructor(perEndPoint: number, make: (id: string, endPoint: EndPoint) => Lane) {
    this.#perEndPoint = perEndPoint;
    this.#make = make;
  }

  get all(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  set(endPoints: readonly EndPoint[], changed: (lanes: readonly Lane[]) => void): void {
    const before = this.#lanes;
    this.#lanes = new Map();
    const made: Lane[] = [];
    for (const endPoint of endPoints) {
      for (let index = 1; index <= this.#perEndPoint; index++) {
        const id = this.#perEndPoint === 1 ? endPoint.id : `${endPoint.id}#${index}`;
        const found = before.get(id);
        const kept = found !== undefined && isSame(found.endPoint, endPoint) ? found : undefined;
        if (kept !== undefined) before.delete(id);
        const lane = kept ?? this.#make(id, endPoint);
        if (kept === undefined) made.push(lane);
        this.#lanes.set(id, lane);
      }
    }
    changed(this.all);
    for (const lane of before.values()) lane.close('the server name has this address no more');
    for (const lane of made) lane.start();
  }

  close(reason: string): void {
    for (const lane of this.#lanes.values()) lane.close(reason);
  }
}
