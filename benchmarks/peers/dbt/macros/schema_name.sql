{# Tables are in the schema that dbt_project.yml names, as the mart's are. #}
{% macro generate_schema_name(custom_schema_name, node) %}
    {{- custom_schema_name or target.schema -}}
{% endmacro %}
