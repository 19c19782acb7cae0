/** Waiting for what another process does, with a deadline: the one the scripts use too. @module */
export { deadlineMs, eventually } from "../../scripts/eventually.ts";
