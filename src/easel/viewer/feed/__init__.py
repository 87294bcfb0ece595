"""Publishing: pictures and numbers of a running program, from any thread or process, shown in a view."""
