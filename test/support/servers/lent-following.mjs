/** The module `lent`, whose handlers ask which exchange they serve. */
import { currentExchange } from 'anynode';
import { createLent } from './lent.mjs';

export { reusable } from './lent.mjs';
export default createLent(currentExchange);
