const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What would begin or end markup, in HTML and in XML alike. */
export const escapeEntities = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!);
