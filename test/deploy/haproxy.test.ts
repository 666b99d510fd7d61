import { describeBalancer } from './balancer-suite.js';
import { HAPROXY } from './proxies.js';

describeBalancer(HAPROXY);
