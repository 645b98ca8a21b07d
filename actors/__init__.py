"""The engine: pure domain, immutable messages, thin Pykka actors. It knows no broker."""
