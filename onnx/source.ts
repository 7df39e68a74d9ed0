/** Where a model came from: its label in errors, and the folder that external data must stay in. */
export interface Source {
  readonly label: string;
  readonly folder?: string | undefined;
  /** Gets the size of every other file that holds weights, by path. */
  readonly external?: Map<string, number> | undefined;
}
