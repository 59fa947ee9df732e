// What importing anything costs.
export const empty = true;
