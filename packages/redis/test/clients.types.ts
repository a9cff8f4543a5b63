/** Compiled, never run: the clients of ioredis 5 and 6 fit without a cast. */
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';
import { redisLedger } from '../src/index.ts';

redisLedger(new Redis());
redisLedger(new Cluster([]));
redisLedger(new Redis5());
redisLedger(new Cluster5([]));
