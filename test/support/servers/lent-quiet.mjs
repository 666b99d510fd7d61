/** The module `lent`, whose handlers say whose request they serve, and so need not be followed. */
import { createLent } from './lent.mjs';

export { reusable } from './lent.mjs';
export const quiet = true;
export default createLent();
