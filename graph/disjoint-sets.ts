/** Sets of integers that are joined one pair at a time: union-find with path halving. */
export interface DisjointSets {
  /** The representative of the set that `member` is in. */
  readonly find: (member: number) => number;
  readonly union: (a: number, b: number) => void;
  /** Adds `count` sets of one member each; the first of the new members. */
  readonly grow: (count: number) => number;
}

export const disjointSets = (): DisjointSets => {
  const parent: number[] = [];
  const find = (member: number): number => {
    let at = member;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  return {
    find,
    union: (a, b) => { parent[find(a)] = find(b); },
    grow: (count) => {
      const first = parent.length;
      for (let k = 0; k < count; k++) parent.push(first + k);
      return first;
    },
  };
};
