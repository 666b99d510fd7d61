/**
 * The model of a call that may outlive its node: list, journal, effect, answer; a lease that lapses with a crash, a
 * standstill or a partition; survivors that look, list, claim by compare and set, read what was said, and go on.
 *
 * Three nodes; the first one gets the call. Every node may crash or lose its lease and go on as if nothing had been, one
 * must live. A step is one command to the store or one act of a handler, so every order of those of all nodes is tried.
 */
import { type Model, Steps } from './explore.js';

export type RecoveryMutant =
  | 'no fencing'
  | 'doubled claim'
  | 'send before store'
  | 'journal before list'
  | 'listed once'
  | 'places of others removed';

type Work =
  /** Not concerned. */
  | 'idle'
  | 'listing'
  /** Its first attempt got through in half, and is made again. */
  | 'opening'
  | 'running'
  | 'effected'
  /** The answer was shown to the client before it is stored (a mutant's step). */
  | 'shown'
  /** A survivor that has found the call of `from`. */
  | 'found'
  | 'listed'
  /** It saw that `from` owns the call, and will take it (a mutant's step). */
  | 'taking'
  | 'claimed'
  /** It may only say that the node was lost. */
  | 'refusing'
  | 'over';

interface Node {
  alive: boolean;
  /** Others may take it for dead; it may be alive all the same. */
  leased: boolean;
  work: Work;
  from: number;
}

export interface RecoveryState {
  nodes: Node[];
  /** Whose list the call is in. */
  lists: boolean[];
  /** -1: not journaled (yet, or any more). */
  owner: number;
  journaled: boolean;
  answers: number;
  /** Answers that the client was shown. */
  seen: number;
  effects: number;
  /** How often each had the call, and how often it was taken from each. */
  owned: number[];
  claimsFrom: number[];
  crashes: number;
  lapses: number;
}

export interface RecoveryOptions {
  readonly repeatable: boolean;
  readonly mutant?: RecoveryMutant;
}

const NODES = [0, 1, 2];
const MOST_CRASHES = 2;
const MOST_LAPSES = 1;

export function callRecovery({ repeatable, mutant }: RecoveryOptions): Model<RecoveryState> {
  const initial: RecoveryState = {
    nodes: NODES.map((id) => ({ alive: true, leased: true, work: id === 0 ? 'listing' : 'idle', from: -1 })),
    lists: NODES.map(() => false),
    owner: -1,
    journaled: false,
    answers: 0,
    seen: 0,
    effects: 0,
    owned: NODES.map(() => 0),
    claimsFrom: NODES.map(() => 0),
    crashes: 0,
    lapses: 0,
  };

  /** The last append of a call: stored if the call is still the node's, and then it leaves the journal. */
  const answer = (state: RecoveryState, id: number): void => {
    const node = state.nodes[id] as Node;
    const shown = node.work === 'shown';
    node.work = 'over';
    if (mutant !== 'no fencing' && state.owner !== id) return;
    state.answers += 1;
    if (!shown) state.seen += 1;
    state.owner = -1;
    state.lists[id] = false;
  };

  const owning = (steps: Steps<RecoveryState>, id: number, node: Node): void => {
    const set = (work: Work) => (state: RecoveryState) => {
      (state.nodes[id] as Node).work = work;
    };
    const list = (state: RecoveryState): void => {
      state.lists[id] = true;
    };
    const open = (state: RecoveryState): void => {
      state.owner = id;
      state.owned[id] = (state.owned[id] ?? 0) + 1;
      state.journaled = true;
    };
    const both = (state: RecoveryState): void => {
      list(state);
      open(state);
      set('running')(state);
    };
    // Both are sent at once on one connection, the list first; a connection that breaks may have carried the first alone.
    // What is tried again is tried from the beginning: the place may have been found to name nothing, and been removed.
    const [first, second] = mutant === 'journal before list' ? [open, list] : [list, open];
    steps.when(node.work === 'listing', `${id} lists and journals the call`, both);
    steps.when(node.work === 'listing', `${id} is cut off after its first entry`, (state) => {
      first(state);
      set('opening')(state);
    });
    steps.when(node.work === 'opening', `${id} tries again`, (state) => {
      if (mutant === 'listed once' || mutant === 'journal before list') second(state);
      else list(state);
      if (mutant !== 'journal before list') open(state);
      set('running')(state);
    });
    steps.when(node.work === 'running', `${id} does what the call is for`, (state) => {
      state.effects += 1;
      set('effected')(state);
    });
    if (mutant === 'send before store') {
      steps.when(node.work === 'effected', `${id} shows its answer`, (state) => {
        state.seen += 1;
        set('shown')(state);
      });
      steps.when(node.work === 'shown', `${id} stores its answer`, (state) => answer(state, id));
    } else {
      steps.when(node.work === 'effected', `${id} stores its answer`, (state) => answer(state, id));
    }
  };

  const surviving = (steps: Steps<RecoveryState>, state: RecoveryState, id: number, node: Node): void => {
    for (const dead of NODES) {
      // Only who has its own lease may judge others.
      const lost = dead !== id && node.leased && state.nodes[dead]?.leased === false;
      const found = lost && state.lists[dead] === true;
      steps.when(found && (node.work === 'idle' || node.work === 'over'), `${id} finds the call of ${dead}`, (next) => {
        Object.assign(next.nodes[id] as Node, { work: 'found', from: dead });
      });
    }
    const { from } = node;
    const take = (next: RecoveryState): void => {
      next.owner = id;
      next.owned[id] = (next.owned[id] ?? 0) + 1;
      next.claimsFrom[from] = (next.claimsFrom[from] ?? 0) + 1;
      next.lists[from] = false;
      (next.nodes[id] as Node).work = 'claimed';
    };
    const leave = (next: RecoveryState): void => {
      (next.nodes[id] as Node).work = 'over';
      if (mutant === 'places of others removed') {
        next.lists[from] = false;
        next.lists[id] = false;
        return;
      }
      // Somebody else's: the place may be that of a claim under way, and stays. One's own already: so does one's own.
      if (next.owner === -1 || next.owner === id) next.lists[from] = false;
      if (next.owner !== id) next.lists[id] = false;
    };
    steps.when(node.work === 'found', `${id} lists the call`, (next) => {
      next.lists[id] = true;
      (next.nodes[id] as Node).work = 'listed';
    });
    if (mutant === 'doubled claim') {
      steps.when(node.work === 'listed', `${id} looks who owns the call`, (next) => {
        if (next.owner === from) (next.nodes[id] as Node).work = 'taking';
        else leave(next);
      });
      steps.when(node.work === 'taking', `${id} takes the call`, take);
    } else {
      steps.when(node.work === 'listed', `${id} claims the call`, (next) =>
        next.owner === from ? take(next) : leave(next),
      );
    }
    steps.when(node.work === 'claimed', `${id} reads what was said`, (next) => {
      const own = next.nodes[id] as Node;
      if (next.answers > 0) {
        own.work = 'over';
        next.lists[id] = false;
        if (next.owner === id) next.owner = -1;
      } else own.work = repeatable ? 'running' : 'refusing';
    });
    steps.when(node.work === 'refusing', `${id} says that the node was lost`, (next) => answer(next, id));
  };

  return {
    initial,
    steps(state) {
      const steps = new Steps(state);
      for (const id of NODES) {
        const node = state.nodes[id] as Node;
        if (!node.alive) {
          steps.when(node.leased, `the lease of ${id} lapses`, (next) => {
            (next.nodes[id] as Node).leased = false;
          });
          continue;
        }
        const others = state.nodes.some((other, i) => i !== id && other.alive);
        steps.when(state.crashes < MOST_CRASHES && others, `${id} crashes`, (next) => {
          (next.nodes[id] as Node).alive = false;
          next.crashes += 1;
        });
        // It stands still, or is cut off: the lease lapses, and it goes on at any later moment.
        steps.when(node.leased && state.lapses < MOST_LAPSES, `${id} loses its lease`, (next) => {
          (next.nodes[id] as Node).leased = false;
          next.lapses += 1;
        });
        steps.when(!node.leased, `${id} has its lease again`, (next) => {
          (next.nodes[id] as Node).leased = true;
        });
        owning(steps, id, node);
        surviving(steps, state, id, node);
      }
      return steps.list;
    },
    fault({ answers, seen, effects, owned, claimsFrom }) {
      if (answers > 1) return `${answers} final answers`;
      if (seen > 1) return `the client was shown ${seen} answers`;
      if (!repeatable && effects > 1) return `what must not be repeated was done ${effects} times`;
      const times = owned.reduce((sum, own) => sum + own, 0);
      if (effects > times) return `${effects} runs, though nodes had the call ${times} times`;
      const doubled = claimsFrom.findIndex((claims, id) => claims > (owned[id] ?? 0));
      return doubled === -1 ? undefined : `the call of ${doubled} was claimed ${claimsFrom[doubled]} times`;
    },
    finalFault({ journaled, answers, seen }) {
      if (journaled && answers === 0) return 'a journaled call that nobody answers';
      return seen > answers ? 'the client was shown what was never stored' : undefined;
    },
  };
}
