// A timeline as people read it: newest first, what was corrected marked as such. Pure.

import type { Milestone } from "./wire.ts";

export interface Entry {
  readonly milestone: Milestone;
  readonly superseded: boolean;
}

export function timeline(milestones: readonly Milestone[]): Entry[] {
  const replaced = new Set(milestones.map((one) => one.supersedes));
  return milestones
    .map((milestone) => ({ milestone, superseded: replaced.has(milestone.sequence) }))
    .sort(
      (a, b) =>
        b.milestone.occurred_at - a.milestone.occurred_at ||
        b.milestone.sequence - a.milestone.sequence,
    );
}
