/** File in a run folder that says where its config lies: `bundle` opens the data sets again from there. */
export const sourceFile = "source.json";
