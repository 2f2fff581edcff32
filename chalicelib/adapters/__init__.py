"""How outside systems are reached: one module for each, translating its errors into ours at the call."""
