import { describeBalancer } from './balancer-suite.js';
import { NGINX } from './proxies.js';

describeBalancer(NGINX);
