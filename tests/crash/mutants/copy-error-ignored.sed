# spool/claim.c: an error of the copy is not seen
/^static int copy_into_spool/,/^}/s/rc = content_copy(\(.*\));/(void)content_copy(\1); rc = 0;/
