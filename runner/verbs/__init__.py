"""What each verb of the command line does; the door, `cli`, imports the module of the verb that was called."""
