// The keyboard: `/` search, `j` and `k` step, `f` follow, Escape leaves.

export interface Keys {
  search(): void;
  step(by: 1 | -1): void;
  follow(): void;
  leave(): void;
}

export function onKeys(keys: Keys): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return keys.leave();
    const typing = event.target instanceof HTMLInputElement;
    if (typing && event.key === "Enter") return keys.step(1);
    if (typing) return;
    const act = ACTIONS[event.key];
    if (!act) return;
    event.preventDefault();
    act(keys);
  });
}

const ACTIONS: Record<string, (keys: Keys) => void> = {
  "/": (keys) => keys.search(),
  j: (keys) => keys.step(1),
  k: (keys) => keys.step(-1),
  f: (keys) => keys.follow(),
};
