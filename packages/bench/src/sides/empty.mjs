// What importing anything costs.
export {};
