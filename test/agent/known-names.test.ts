import t from 'tap';
import { KnownNames } from '../../src/agent/known-names.js';
import type { ClientId, TabName } from '../../src/core/ids.js';
import { FakeClock } from '../support/fake-clock.js';

const tab = (name: string): TabName => name as TabName;
const client = (name: string): ClientId => name as ClientId;

t.test('new names beyond the limit are refused; known ones go on', async (t) => {
  const known = new KnownNames({ maxTabs: 2, maxClients: 2 }, new FakeClock());
  t.equal(known.admit(tab('a'), client('x')), undefined);
  t.equal(known.admit(tab('b'), client('y')), undefined);
  t.equal(known.admit(tab('c'), client('x')), 'too_many_tabs');
  t.equal(known.admit(tab('a'), client('z')), 'too_many_clients');
  t.equal(known.admit(tab('a'), client('y')), undefined);
  t.equal(known.tabs, 2);
  t.equal(known.clients, 2, 'what was refused takes no room');
});

t.test('names out of use make room for new ones, names in use stay', async (t) => {
  const clock = new FakeClock();
  const known = new KnownNames({ maxTabs: 2, maxClients: 10 }, clock);
  known.admit(tab('stays'), client('x'));
  known.admit(tab('goes'), client('x'));
  for (let minute = 0; minute < 25; minute++) {
    clock.advance(60_000);
    t.equal(known.admit(tab('stays'), client('x')), undefined);
    known.admit(tab('new'), client('x'));
  }
  t.equal(known.admit(tab('new'), client('x')), undefined);
  t.equal(known.admit(tab('goes'), client('x')), 'too_many_tabs');
});

t.test('names in use stay, however long there were no new ones', async (t) => {
  const clock = new FakeClock();
  const known = new KnownNames({ maxTabs: 2, maxClients: 2 }, clock);
  for (let minute = 0; minute < 60; minute++) {
    clock.advance(60_000);
    for (const name of ['a', 'b']) t.equal(known.admit(tab(name), client(name)), undefined);
  }
  t.equal(known.admit(tab('c'), client('a')), 'too_many_tabs');
  t.equal(known.admit(tab('a'), client('c')), 'too_many_clients');
  t.equal(known.admit(tab('b'), client('b')), undefined);
});

t.test('after a long silence nothing is known any more', async (t) => {
  const clock = new FakeClock();
  const known = new KnownNames({ maxTabs: 1, maxClients: 1 }, clock);
  known.admit(tab('a'), client('x'));
  clock.advance(3_600_000);
  t.equal(known.admit(tab('b'), client('y')), undefined);
});
