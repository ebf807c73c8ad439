# spool/convert_child.c: a job goes on when its keeper is dead
s/prctl(PR_SET_PDEATHSIG, SIGKILL);//
