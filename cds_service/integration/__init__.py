"""What an integrator needs: ask any CDS service, check it, check messages, and try out a
FHIR server.
"""
