// What is in the page's address: the token in the fragment (which no server or log ever sees), what
// is selected in the query, so that a reload or a copied address shows the same.

export type Selection =
  | { readonly kind: "order"; readonly id: string }
  | { readonly kind: "vehicle"; readonly id: string };

/** A JWT is three parts of base64url; anything else could not even be sent. */
export function token(hash: string): string | null {
  const text = hash.replace(/^#/, "");
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? text : null;
}

export function selected(search: string): Selection | null {
  const query = new URLSearchParams(search);
  for (const kind of ["order", "vehicle"] as const) {
    const id = query.get(kind);
    if (id) return { kind, id };
  }
  return null;
}

/** The query for a selection; the rest of the address stays. */
export function query(selection: Selection | null): string {
  return selection ? `?${new URLSearchParams({ [selection.kind]: selection.id })}` : "";
}
