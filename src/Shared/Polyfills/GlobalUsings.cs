// Before .NET 9, a lock statement locks any object.
global using Lock = System.Object;
